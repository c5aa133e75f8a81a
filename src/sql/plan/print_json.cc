#include "sql/plan/print_json.h"

#include <cmath>
#include <set>

#include "base/json.h"
#include "sql/plan/shared_node.h"

namespace tideline::sql {

namespace {

class JsonPlanPrinter {
 public:
  explicit JsonPlanPrinter(std::string* out) : json_(out) {}

  void Print(const PlanNode& node) {
    // The first word of a node's line is its name.
    const std::string text = node.Describe();
    const std::size_t blank = text.find(' ');
    json_.BeginObject();
    json_.Member("id", std::to_string(next_id_++));
    json_.Member("name", text.substr(0, blank));
    json_.Member("details", blank == std::string::npos ? std::string() : text.substr(blank + 1));
    json_.Key("outputs");
    json_.BeginArray();
    for (const OutputColumn& output : node.outputs()) {
      json_.BeginObject();
      json_.Member("name", output.name);
      json_.Member("type", output.type.ToString());
      json_.EndObject();
    }
    json_.EndArray();
    json_.Key("estimates");
    json_.BeginObject();
    json_.MemberDouble("rows", std::round(node.EstimatedRows()));
    json_.EndObject();
    json_.Key("children");
    json_.BeginArray();
    for (const PlanNodePtr& child : node.children()) Print(*child);
    if (node.kind() == PlanKind::kShared) {
      const SharedPlan& plan = As<SharedNode>(node).plan();
      if (shown_.insert(plan.id).second) Print(*plan.root);
    }
    json_.EndArray();
    json_.EndObject();
  }

 private:
  JsonWriter json_;
  std::size_t next_id_ = 0;
  std::set<std::uint32_t> shown_;
};

}  // namespace

std::string PrintPlanJson(const PlanNode& root) {
  std::string out;
  JsonPlanPrinter(&out).Print(root);
  return out;
}

}  // namespace tideline::sql
