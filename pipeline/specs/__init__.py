"""The boundary: YAML in, validated and frozen values out."""
