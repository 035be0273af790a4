"""The doors through which people and machines come in; each calls the same flow."""
