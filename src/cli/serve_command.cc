#include <csignal>
#include <cstdio>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "server/collector.h"
#include "server/server.h"
#include "server/settings.h"

namespace tideline::cli {
namespace {

// Blocks until a signal asks the process to end.
void WaitForSignal(const sigset_t& signals) {
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal != SIGTERM && signal != SIGINT) {
  }
}

int Serve(const std::map<std::string, std::string>& flags, const std::string& config) {
  const Result<server::Settings> settings =
      server::LoadSettings(flags, server::ProcessEnvironment(), config);
  if (!settings.ok()) return Fail("", MessageOf(settings.status()));
  // Blocked before any thread is made, so that only WaitForSignal takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  Result<std::unique_ptr<server::Server>> server = server::Server::Start(*settings);
  if (!server.ok()) return Fail("cannot start", MessageOf(server.status()));
  std::unique_ptr<server::Collector> collector;
  if (settings->collect) {
    collector = (*server)->MakeCollector();
  }
  for (const std::string& url : (*server)->urls()) fmt::print("tideline ready {}\n", url);
  std::fflush(stdout);
  WaitForSignal(signals);
  collector.reset();
  if (const Status stopped = (*server)->Stop(); !stopped.ok()) {
    return Fail("stop", MessageOf(stopped));
  }
  return 0;
}

}  // namespace

void AddServeCommand(CLI::App& app, Run* run) {
  CLI::App* command = app.add_subcommand("serve", "run the server on a data directory");
  auto values = std::make_shared<std::map<std::string, std::string>>();
  auto config = std::make_shared<std::string>();
  command->add_option("--config", *config, "settings file; default: tideline.toml if it is there");
  for (const server::SettingInfo& info : server::AllSettings()) {
    const std::string name(info.name);
    std::string text(info.text);
    if (!info.range.empty()) text += fmt::format(" ({})", info.range);
    if (info.kind == "flag") {
      command->add_flag_callback("--" + name, [values, name] { (*values)[name] = "true"; }, text);
      command->add_flag_callback("--no-" + name, [values, name] { (*values)[name] = "false"; },
                                 "the opposite")
          ->group("");
    } else {
      if (!info.default_text.empty()) text += fmt::format(" [{}]", info.default_text);
      command->add_option_function<std::string>(
          "--" + name, [values, name](const std::string& value) { (*values)[name] = value; }, text);
    }
  }
  command->callback([run, values, config] { *run = [values, config] { return Serve(*values, *config); }; });
}

}  // namespace tideline::cli
