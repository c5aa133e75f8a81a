#include "cli/client_flags.h"

#include <CLI/CLI.hpp>

namespace tideline::cli {

void AddClientFlags(CLI::App& command, ClientOptions* options) {
  command.add_option("--endpoint", options->endpoint, "server's URL")->capture_default_str();
  command.add_option("--access-key-id", options->access_key_id,
                     "access key; default: variable TIDELINE_ACCESS_KEY_ID or AWS_ACCESS_KEY_ID, then the data "
                     "directory's");
  command.add_option("--secret-access-key", options->secret_access_key,
                     "its secret; default: variable TIDELINE_SECRET_ACCESS_KEY or AWS_SECRET_ACCESS_KEY");
  command.add_option("--region", options->region, "region to sign for")->capture_default_str();
  command.add_option("--profile", options->profile, "compat or extended; default: the server's")
      ->check(CLI::IsMember({"compat", "extended"}));
  command.add_option("--data-dir", options->data_dir, "where a server on this machine keeps its root key")
      ->capture_default_str();
  command.add_option("--ca-file", options->ca_file, "PEM file with the authorities to trust");
  command.add_flag_callback("--insecure", [options] { options->verify_tls = false; }, "accept any TLS certificate");
}

}  // namespace tideline::cli
