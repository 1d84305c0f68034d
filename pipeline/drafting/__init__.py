"""Draft and check the manifests that people write."""
