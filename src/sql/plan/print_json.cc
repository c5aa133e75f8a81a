#include "sql/plan/print_json.h"

#include <cmath>
#include <set>

#include "sql/plan/shared_node.h"

namespace tideline::sql {

namespace {

class JsonPlanPrinter {
 public:
  explicit JsonPlanPrinter(std::string* out) : json_(out) {}

  void Print(const PlanNode& node) {
    json_.BeginObject();
    json_.Member("id", std::to_string(next_id_++));
    WriteNodeMembers(node, &json_);
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

void WriteNodeMembers(const PlanNode& node, JsonWriter* json) {
  // The first word of a node's line is its name.
  const std::string text = node.Describe();
  const std::size_t blank = text.find(' ');
  json->Member("name", text.substr(0, blank));
  json->Member("details", blank == std::string::npos ? std::string() : text.substr(blank + 1));
  json->Key("outputs");
  json->BeginArray();
  for (const OutputColumn& output : node.outputs()) {
    json->BeginObject();
    json->Member("name", output.name);
    json->Member("type", output.type.ToString());
    json->EndObject();
  }
  json->EndArray();
  json->Key("estimates");
  json->BeginObject();
  json->MemberDouble("rows", std::round(node.EstimatedRows()));
  json->EndObject();
}

std::string PrintPlanJson(const PlanNode& root) {
  std::string out;
  JsonPlanPrinter(&out).Print(root);
  return out;
}

}  // namespace tideline::sql
