// slt_runner [--complete] [--threads N] [--no-optimizer] [--memory-store] [--files] [--spill]
// [--verbose] PATH…: runs golden SQL files, or all .slt files below a folder. Status 1 when a case fails, 2 when a file cannot be run.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "slt_runner.h"

namespace {

namespace slt = tideline::slt;

struct Arguments {
  bool complete = false;
  bool verbose = false;
  slt::InProcessOptions options;
  std::vector<std::string> files;
};

void AddPath(const std::string& path, std::vector<std::string>* files) {
  if (!std::filesystem::is_directory(path)) {
    files->push_back(path);
    return;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.path().extension() == ".slt") files->push_back(entry.path().string());
  }
  std::sort(files->begin(), files->end());
}

Arguments ReadArguments(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--complete") {
      arguments.complete = true;
    } else if (word == "--verbose") {
      arguments.verbose = true;
    } else if (word == "--no-optimizer") {
      arguments.options.optimizer = false;
    } else if (word == "--memory-store") {
      arguments.options.memory_store = true;
    } else if (word == "--files") {
      arguments.options.files = true;
    } else if (word == "--spill") {
      arguments.options.spill = true;
    } else if (word == "--threads" && i + 1 < count) {
      arguments.options.threads = static_cast<std::size_t>(std::max(1, std::atoi(words[++i])));
    } else {
      AddPath(word, &arguments.files);
    }
  }
  return arguments;
}

tideline::Result<slt::Outcome> RunFile(const std::string& path, const Arguments& arguments) {
  std::ifstream in(path);
  if (!in) return tideline::NotFound("no file {}", path);
  std::stringstream text;
  text << in.rdbuf();
  std::vector<slt::Block> blocks = TL_TRY(slt::ParseSlt(text.str()));
  std::unique_ptr<slt::QueryRunner> runner = TL_TRY(slt::NewInProcessRunner(arguments.options));
  const std::string directory = std::filesystem::path(path).parent_path().string();
  slt::Outcome outcome = TL_TRY(slt::RunBlocks(*runner, directory, arguments.complete, &blocks));
  if (arguments.complete) std::ofstream(path) << slt::PrintSlt(blocks);
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = ReadArguments(argc, argv);
  std::size_t cases = 0;
  std::size_t failures = 0;
  std::size_t broken = 0;
  for (const std::string& path : arguments.files) {
    const tideline::Result<slt::Outcome> outcome = RunFile(path, arguments);
    if (!outcome.ok()) {
      ++broken;
      fmt::print("{}: {}\n", path, tideline::MessageOf(outcome.status()));
      continue;
    }
    cases += outcome->cases;
    failures += outcome->failures.size();
    if (arguments.verbose) fmt::print("{}: {} cases\n", path, outcome->cases);
    for (const std::string& failure : outcome->failures) fmt::print("{}: {}\n", path, failure);
  }
  fmt::print("{} files, {} cases, {} failed, {} files could not be run\n", arguments.files.size(), cases,
             failures, broken);
  if (arguments.files.empty() || broken > 0) return 2;
  return failures > 0 ? 1 : 0;
}
