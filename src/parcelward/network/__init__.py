"""The places and links that items move through."""
