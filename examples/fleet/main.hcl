# A fleet in one block: a row of orgs.csv is a connection, on one of two Bitbuckets.
bbsync {
  required_version = ">= 0.1.0"
  fleet            = "fleet"
}

vault {
  address = var.vault_address
}

terraform "hcp" {
  address = var.terraform_address
  ca_file = var.ca_file
  token {
    vault = "secret/platform/hcp#token"
  }
}

bitbucket "corp" {
  url     = var.bitbucket_url
  ca_file = var.ca_file
  admin {
    username = "admin"
    password {
      vault = "secret/platform/bitbucket#admin"
    }
  }
}

bitbucket "legacy" {
  url     = var.bitbucket_2_url
  ca_file = var.ca_file
  admin {
    username = "admin"
    password {
      vault = "secret/platform/bitbucket#admin"
    }
  }
}

connection "team" {
  for_each     = csvdecode(file("orgs.csv"))
  terraform    = terraform.hcp
  organization = each.value.org
  bitbucket    = bitbucket[each.value.bitbucket]
  service_user = "svc-terraform"
  name         = "Bitbucket (${each.value.bitbucket})"

  ssh_key {
    rotate_after = each.value.rotate_after
    overlap      = "24h"
  }

  # All of the fleet may rotate on Saturday nights only.
  maintenance {
    schedule  = "0 2 * * SAT"
    duration  = "4h"
    time_zone = "Europe/Berlin"
  }

  grant {
    project      = "INFRA"
    repositories = split(" ", each.value.repositories)
  }
}
