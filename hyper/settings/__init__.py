"""The configuration: one pydantic model per section."""
