"""The filing desk (备案): what other organisations report to this node's authority."""
