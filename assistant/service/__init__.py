"""The assistant over HTTP: OpenAI's interface, its own, and documents as web pages. `app.create_app` makes it."""
