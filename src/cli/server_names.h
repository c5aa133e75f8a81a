// cli/server_names.h: the names of a server's databases, tables and columns, for completion.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "cli/api_client.h"
#include "cli/completer.h"

namespace tideline::cli {

/// Asks with SHOW DATABASES, SHOW TABLES and DESCRIBE when a name is wanted, and again when an answer is older
/// than ten seconds. A server that has not answered within half a second is left alone for five seconds; what
/// is known from before serves meanwhile. Not thread-safe.
class ServerNames final : public NameSource {
 public:
  explicit ServerNames(ClientOptions client);
  std::vector<std::string> Databases() override;
  std::vector<std::string> Tables(std::string_view database) override;
  std::vector<std::string> Columns(std::string_view database, std::string_view table) override;
  /// The next question goes to the server: something was not as it is remembered.
  void Forget();

 private:
  struct Answer {
    std::vector<std::string> names;
    std::int64_t fresh_until_ns = 0;
  };
  std::vector<std::string> Ask(const std::string& sql);
  Result<std::vector<std::string>> FetchFirstColumn(const std::string& sql);
  const ClientOptions client_options_;
  std::map<std::string, Answer> answers_;  // by the SQL that asks
  std::int64_t quiet_until_ns_ = 0;
};

}  // namespace tideline::cli
