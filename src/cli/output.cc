#include "cli/output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tideline::cli {
namespace {

int first_error = 0;

void Keep(int error) {
  if (first_error == 0) first_error = error;
}

}  // namespace

void Put(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) Keep(errno);
}

Status FlushOutput() {
  if (std::fflush(stdout) != 0) Keep(errno);
  if (first_error == 0) {
    if (std::ferror(stdout) == 0) return OkStatus();
    return Unavailable("standard output cannot be written");  // somebody else tried; the reason is lost
  }
  return Unavailable("standard output cannot be written: {}", std::strerror(first_error));
}

bool OutputPipeIsClosed() { return first_error == EPIPE; }

}  // namespace tideline::cli
