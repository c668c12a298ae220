"""Everything that can be done, by name: what the command palette lists."""

from __future__ import annotations

COMMANDS = (
    ("New conversation", "Begin again; what was asked is kept", "screen.new_conversation"),
    ("Conversations", "Find, resume, rename, delete and export earlier ones", "screen.conversations"),
    ("Resume the last conversation", "Go on where you left off", "screen.resume_last"),
    ("Export this conversation", "As Markdown, HTML or JSON, with every citation", "screen.export"),
    ("Documents", "Browse them, and ask only some of them", "screen.documents"),
    ("Ask all documents again", "Lift the restriction to some of them", "screen.lift"),
    ("Folders", "Add folders to the index, bring it up to date, watch them", "screen.folders"),
    ("Files not read", "List the files that could not be read, and why", "screen.problems"),
    ("Stop", "Cut the answer that is being written", "screen.stop"),
    ("Take back waiting questions", "Only the answer being written goes on", "screen.withdraw"),
    ("Next citation", "Go to the next citation", "screen.next_citation"),
    ("Previous citation", "Go to the previous citation", "screen.previous_citation"),
    ("Whole document", "The document of this citation, with search", "screen.whole_document"),
    ("Original file", "Open the cited file in the system's program", "screen.original"),
    ("Copy quote", "The quote with its reference, to the clipboard", "screen.copy_quote"),
    ("Close source", "Close the source beside the answer", "screen.close_source"),
    ("Details", "What was left out and why; what was read and not used", "screen.details"),
    ("Judge the answer", "Say whether it is right, and why", "screen.judge"),
    ("The answer is right", "Keep that it is", "screen.judge_right"),
    ("The answer is wrong", "Keep that it is, and why", "screen.judge_wrong"),
    ("This citation is wrong", "Keep that it is, and why", "screen.citation_wrong"),
    ("Judgements", "List what was judged; take one back", "screen.judgements"),
    ("Generator", "Choose what writes the answers", "app.choose_generator"),
    ("Strictness", "Choose how sure is sure enough", "app.choose_strictness"),
    ("Theme", "Choose the colours", "app.choose_theme"),
    ("Settings", "All of them, written to your settings file", "app.settings"),
    ("Help", "Keys, marks, and what they mean", "app.help"),
    ("Quit", "Leave; conversations are kept", "app.quit"),
)
"""Title, what it does, and the action."""
