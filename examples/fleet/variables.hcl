variable "terraform_address" {
  type        = string
  default     = "https://app.terraform.io"
  description = "HCP Terraform, or a Terraform Enterprise host."
}

variable "bitbucket_url" {
  type        = string
  default     = "https://bitbucket.corp.example"
  description = "Bitbucket's base URL, as in its server settings."
}

variable "bitbucket_2_url" {
  type        = string
  default     = "https://bitbucket-legacy.corp.example"
  description = "The other Bitbucket's base URL."
}

variable "ca_file" {
  type        = string
  default     = null
  description = "Certificates of a private authority that signed the systems'; null for those of the machine."
}

variable "vault_address" {
  type        = string
  default     = null
  description = "Vault; null for VAULT_ADDR."
}
