// tideline verify: checks a data directory, or asks the server that runs on it to check itself.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/admin_client.h"
#include "cli/commands.h"
#include "server/encryption.h"
#include "storage/engine/verify.h"
#include "storage/fs/posix_file_system.h"

namespace tideline::cli {
namespace {

int VerifyOffline(const std::string& data_dir, const std::string& key_file) {
  const auto keys = server::OpenExistingKeys(fs::PosixFileSystem(), data_dir, key_file);
  if (!keys.ok()) return Fail(data_dir.c_str(), MessageOf(keys.status()));
  seal::PlainSealer plain;
  seal::Sealer* const sealer = keys->sealer() == nullptr ? &plain : keys->sealer();
  const auto report = engine::VerifyDirectory(fs::PosixFileSystem(), data_dir, *sealer, nullptr);
  if (!report.ok()) return Fail(data_dir.c_str(), MessageOf(report.status()));
  fmt::print("{}", report->Text());
  return report->problem_count == 0 ? 0 : 1;
}

int VerifyOnline(const std::string& endpoint) {
  const Result<JsonValue> answer = CallAdmin(endpoint, "/admin/verify", "{}");
  if (!answer.ok()) return Fail("", MessageOf(answer.status()));
  fmt::print("{}", answer->FindText("text"));
  const JsonValue* problems = answer->Find("problems");
  return problems != nullptr && problems->integer() == 0 ? 0 : 1;
}

}  // namespace

void AddVerifyCommand(CLI::App& app, Run* run) {
  struct Flags {
    std::string data_dir = "tideline-data";
    std::string endpoint;
    std::string key_file;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand(
      "verify", "check every checksum, count and invariant of a data directory; exit status 1 when there is a problem");
  command->add_option("--data-dir", flags->data_dir, "directory to check, whether or not a server runs on it");
  command->add_option("--key-file", flags->key_file, "master keys of an encrypted directory [its master-key]");
  command->add_option("--endpoint", flags->endpoint, "URL of a running server that shall check itself");
  command->callback([run, flags] {
    *run = [flags] {
      return flags->endpoint.empty() ? VerifyOffline(flags->data_dir, flags->key_file) : VerifyOnline(flags->endpoint);
    };
  });
}

}  // namespace tideline::cli
