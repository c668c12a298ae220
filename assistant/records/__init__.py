"""What was asked and answered, as it is kept: conversations, judgements, and proof that nothing was changed."""
