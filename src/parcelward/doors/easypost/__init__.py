"""`/easypost/v2`: the API that shops know from EasyPost, over our own actions (docs/easypost.md)."""
