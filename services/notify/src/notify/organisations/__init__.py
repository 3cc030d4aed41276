"""The replica of announced organisations: who the authority and the government office are."""
