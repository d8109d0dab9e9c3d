"""Vertex AI by service account: credential files, tokens, and pictures."""
