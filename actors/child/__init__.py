"""Hosting users' own objects as supervised children."""
