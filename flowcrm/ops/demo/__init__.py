"""The demo's world: a small company, its customers and two thousand emails, all invented (DESIGN 10)."""
