variable "terraform_address" {
  type        = string
  default     = "https://tfe.corp.example"
  description = "The Terraform Enterprise host."
}

variable "bitbucket_url" {
  type        = string
  default     = "https://bitbucket.corp.example"
  description = "Bitbucket's base URL, as in its server settings."
}

variable "ca_file" {
  type        = string
  default     = "/etc/ssl/certs/corp-ca.pem"
  description = "Certificates of the private authority that signed the systems'."
}

variable "vault_address" {
  type        = string
  default     = null
  description = "Vault; null for VAULT_ADDR."
}
