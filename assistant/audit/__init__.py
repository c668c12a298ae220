"""Whether answers of the past still hold in the documents of today."""
