# Everything the language has, at least once.
bbsync {
  required_version = ">= 0.1.0"
  fleet            = "corp"
  max_removals     = 3

  maintenance {
    schedule = "0 2 * * SAT"
    duration = "4h"
    time_zone = "UTC"
  }
}

variable "region" {
  type        = string
  default     = "us"
  description = "Where the systems are."
  nullable    = false

  validation {
    condition     = contains(["us", "eu"], var.region)
    error_message = "region is us or eu, not ${var.region}."
  }
}

variable "repositories" {
  type    = list(string)
  default = ["vpc"]
}

locals {
  user = "svc-${local.role}"
  role = "terraform"
  rows = { for row in csvdecode(file("${path.module}/orgs.csv")) : "${row.org}/${row.site}" => row }
}

vault {
  address   = "https://vault.corp.example:8200/"
  namespace = "platform/"
  ca_file   = "certs/vault.pem"
  mount     = "kv"
  path      = "teams/bbsync"

  auth "approle" {
    mount         = "ci/approle"
    role_id_env   = "BBSYNC_ROLE_ID"
    secret_id_env = "BBSYNC_SECRET_ID"
    wrapped       = true
  }

  header "X-Team" {
    value = "platform"
  }

  header "X-Gateway" {
    env = "VAULT_GATEWAY"
  }

  client_certificate {
    file = "certs/client.pem"
  }

  client_key {
    env = "VAULT_GATEWAY_KEY"
  }
}

terraform "hcp" {
  token {
    vault = "secret/platform/hcp#token"
  }
}

terraform "tfe" {
  address    = "https://TFE.${var.region}.corp.example:443/"
  ca_file    = "/etc/ssl/corp.pem"
  rate_limit = 12.5

  token {
    env = "TFE_TOKEN"
  }

  header "CF-Access-Client-Id" {
    env = "ACCESS_ID"
  }

  header "CF-Access-Client-Secret" {
    vault = "secret/platform/access#secret"
  }

  client_certificate {
    vault = "secret/platform/gateway#certificate"
  }

  client_key {
    vault = "secret/platform/gateway#key"
  }
}

terraform "person" {
  address = "https://other.corp.example"

  token {
    credentials_file = true
  }

  header "X-Team" {
    value = "platform"
  }

  client_certificate {
    file = "certs/client.pem"
  }

  client_key {
    file = "certs/client.pem"
  }
}

terraform "environment" {
  address = "https://env.corp.example"

  client_certificate {
    env = "CLIENT_PEM"
  }

  client_key {
    env = "CLIENT_PEM"
  }
}

bitbucket "corp" {
  url              = "https://Bitbucket.corp.example:8443/git/"
  ca_file          = "certs/bitbucket.pem"
  service_provider = "bitbucket_data_center"
  rate_limit       = 50
  known_ssh_keys   = ["SHA256:5sZKJ2sDJlqzC2x3FVQGR8CTKLHBbeJuqCj+k5JDpZ8", "bbsync/other-fleet/*"]

  admin {
    username = "bbsync-admin"
    password {
      vault = "secret/platform/bitbucket#admin"
    }
    totp {
      vault = "secret/platform/bitbucket#totp"
    }
  }

  ssh {
    host      = "Git.corp.example"
    port      = 7998
    host_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl git"]
  }

  header "X-Team" {
    value = "platform"
  }

  header "X-Gateway" {
    env = "GATEWAY"
  }

  header "X-Access" {
    vault = "secret/platform/access#secret"
  }

  client_certificate {
    vault = "secret/platform/gateway#pem"
  }

  client_key {
    vault = "secret/platform/gateway#pem"
  }
}

bitbucket "gated" {
  url = "https://gated.corp.example"

  admin {
    username = "admin"
    password {
      env = "GATED_PASSWORD"
    }
  }

  client_certificate {
    file = "certs/client.pem"
  }

  client_key {
    file = "certs/client.pem"
  }
}

bitbucket "old" {
  url = "http://localhost:7990"

  admin {
    username = "admin"
    oauth    = true
    password {
      env = "OLD_PASSWORD"
    }
    totp {
      env = "OLD_TOTP"
    }
  }

  webhook_plugin {
    install = true
    url     = "https://artifacts.corp.example/web-post-hooks.jar"
  }

  client_certificate {
    env = "CLIENT_PEM"
  }

  client_key {
    env = "CLIENT_PEM"
  }
}

connection "rows" {
  for_each     = local.rows
  terraform    = each.value.org == "acme-03" ? terraform.tfe : terraform.hcp
  organization = each.value.org
  bitbucket    = bitbucket[each.value.site]
  service_user = local.user
  protect      = true

  ssh_key {
    bits         = 4096
    rotate_after = "90d"
    overlap      = "1d12h"
  }

  grant {
    project      = "infra"
    repositories = var.repositories
  }
}

connection "brought" {
  terraform        = terraform.tfe
  organization     = "acme-04"
  bitbucket        = bitbucket.corp
  service_user     = "svc-acme-04"
  name             = "Bitbucket"
  projects         = ["network", "platform"]
  agent_pool       = "on-premises"
  service_provider = "bitbucket_server"
  record           = "special/acme-04"
  adopt            = true

  ssh_key {
    private_key {
      vault = "secret/keys/acme-04#ssh"
    }
  }

  consumer {
    name = "Terraform of acme-04"
    key  = "terraform-acme-04"
    private_key {
      vault = "secret/keys/acme-04#rsa"
    }
  }

  application_link {
    url  = "main"
    name = "Terraform"
  }

  grant {
    repository = "APPS/Web"
    permission = "REPO_ADMIN"
  }

  grant {
    project = "~Jane"
  }

  token {
    vault = "secret/platform/acme-04#token"
  }

  maintenance {
    schedule  = "30 1 1 * *"
    duration  = "2h"
    time_zone = "Europe/Berlin"
  }

  relocate {
    from   = bitbucket.old
    first  = 2
    wave   = 50
  }
}

connection "list" {
  for_each            = ["acme-05", "acme-06"]
  terraform           = terraform.hcp
  organization        = each.value
  bitbucket           = bitbucket.corp
  service_user        = local.user
  organization_scoped = true

  consumer {
    bits         = 2048
    rotate_after = "52w"
  }

  grant {
    project    = "INFRA"
    permission = "PROJECT_ADMIN"
  }
}

moved {
  from = connection.old
  to   = connection.list
}

moved {
  from = connection.older
  to   = connection.old
}

moved {
  from = connection.rows["acme-1"]
  to   = connection.rows["acme-01/corp"]
}

removed {
  from = connection.left
}
