"""The words, errors, configuration and database habits that every room shares."""
