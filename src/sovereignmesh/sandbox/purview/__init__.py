"""Purview's data plane of an account: collections, policies, sources, scans, rules and classifications."""
