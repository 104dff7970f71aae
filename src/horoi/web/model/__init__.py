"""What goes over the API's wire, as plain records. The OpenAPI document is generated from these."""
