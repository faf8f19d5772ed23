"""Every threshold of the gateway in one typed record, the profiles that ship, and how a strategy tightens them."""
