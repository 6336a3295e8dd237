# Four shards look at the fleet every quarter of an hour. Nomad logs them in to
# Vault (VAULT_TOKEN) and numbers them (NOMAD_ALLOC_INDEX).
job "bbsync-drift" {
  type        = "batch"
  datacenters = ["*"]

  periodic {
    crons            = ["*/15 * * * *"]
    prohibit_overlap = true
  }

  group "shards" {
    count = 4

    # Drift is no failure, but Nomad has no list of codes that are none: a shard
    # that ends with 2 or 4 is shown as failed, and is not run again.
    reschedule {
      attempts  = 0
      unlimited = false
    }
    restart {
      attempts = 0
      mode     = "fail"
    }

    task "drift" {
      driver = "docker"
      config {
        image   = "registry.corp.example/bbsync:0.1.0"
        args    = ["-C", "/local/fleet", "drift", "--pushgateway", "http://pushgateway.service.consul:9091"]
        volumes = ["local/fleet:/local/fleet:ro"]
      }
      artifact {
        source      = "git::https://git.corp.example/platform/fleet.git"
        destination = "local/fleet"
      }
      vault {
        role = "bbsync"
      }
      env {
        VAULT_ADDR    = "https://vault.corp.example:8200"
        BBSYNC_SHARDS = "4" # the group's count, which Nomad does not tell
      }
      resources {
        cpu    = 200
        memory = 256
      }
    }
  }
}
