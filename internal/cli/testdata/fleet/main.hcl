variable "terraform_address" { default = "https://app.terraform.io" }
variable "bitbucket_url" { default = "https://bitbucket.example.com" }
variable "ca_file" { default = null }
variable "orgs" { default = 2 }

bbsync {
  fleet = "test"
}
vault {
  mount = "secret"
}
terraform "hcp" {
  address = var.terraform_address
  ca_file = var.ca_file
  token { vault = "secret/platform/hcp#token" }
}
bitbucket "new" {
  url = var.bitbucket_url
  ca_file = var.ca_file
  admin {
    username = "admin"
    password { vault = "secret/platform/bitbucket#admin" }
  }
}
locals {
  orgs = [for n in range(1, var.orgs + 1) : format("acme-%02d", n)]
}
connection "team" {
  for_each     = toset(local.orgs)
  terraform    = terraform.hcp
  organization = each.value
  bitbucket    = bitbucket.new
  service_user = "svc-terraform"
  name         = "Bitbucket"
  grant {
    project = "INFRA"
    repositories = ["vpc", "dns"]
    permission = "REPO_ADMIN"
  }
}
