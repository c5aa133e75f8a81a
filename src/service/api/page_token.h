// service/api/page_token.h: where the next page of a list begins, as opaque text.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace tideline::api {

/// The name (or pair of names) that the page before ended with. A token is bound to the list it came
/// from by `scope`, and carries a checksum: anything else is refused.
struct PageToken {
  std::string first;
  std::string second;

  /// Letters and digits only.
  std::string Encode(std::string_view scope) const;
  /// An empty text is the beginning. kInvalidArgument for any other that Encode(scope) did not make.
  static Result<PageToken> Decode(std::string_view scope, std::string_view token);
};

}  // namespace tideline::api
