#include "tests/golden/layer_spec.h"

#include <set>

#include "tests/golden/report.h"
#include "unroll/recurrent.h"

namespace unroll::golden {

namespace {

std::shared_ptr<Component> make_component(const Json& spec);

/// Fills options from keyword arguments; what is not given keeps its default.
class KwargsReader final : public Describer {
 public:
  KwargsReader(std::string class_name, const Json& kwargs)
      : class_name_(std::move(class_name)), kwargs_(kwargs) {}

  void field(std::string_view name, bool& value) override {
    if (const Json* given = find(name, &Json::is_boolean)) value = given->get<bool>();
  }
  void field(std::string_view name, Index& value) override {
    if (const Json* given = find(name, &Json::is_number_integer)) value = given->get<Index>();
  }
  void field(std::string_view name, double& value) override {
    if (const Json* given = find(name, &Json::is_number)) value = given->get<double>();
  }
  void field(std::string_view name, std::string& value) override {
    const Json* given = find(name, [](const Json& v) { return v.is_string() || v.is_null(); });
    if (given != nullptr) value = given->is_null() ? "none" : given->get<std::string>();
  }
  void field(std::string_view name, Activation& value) override {
    if (const Json* given = find(name, &Json::is_string)) {
      value = parse_activation(given->get<std::string>());
    }
  }
  void field(std::string_view name, Initializer& value) override {
    if (const Json* given = find(name, &Json::is_string)) {
      value = parse_initializer(given->get<std::string>());
    }
  }
  void field(std::string_view name, Regularizer& value) override {
    const Json* given = find(name, [](const Json& v) { return v.contains("regularizer"); });
    if (given == nullptr) return;
    value = {given->at("args").value("l1", 0.0), given->at("args").value("l2", 0.0)};
  }
  void field(std::string_view name, Constraint& value) override {
    const Json* given = find(name, [](const Json& v) { return v.contains("constraint"); });
    if (given == nullptr) return;
    const Json args = given->value("args", Json::object());
    value = parse_constraint(given->at("constraint").get<std::string>());
    value.min_value = args.value("min_value", value.min_value);
    value.max_value = args.value("max_value", value.max_value);
    value.rate = args.value("rate", value.rate);
    if (args.contains("axis")) value.axis = sizes_of(args.at("axis"));
  }
  void field(std::string_view name, Shape& value) override {
    const Json* given = find(name, [](const Json& v) { return v.is_array() || v.is_number(); });
    if (given != nullptr) value = sizes_of(*given);
  }
  void field(std::string_view name, Picks&) override {
    if (find(name, [](const Json&) { return false; }) != nullptr) return;
  }
  void field(std::string_view name, std::shared_ptr<Component>& value) override {
    const Json* given = find(name, [](const Json& v) { return v.is_object() || v.is_array(); });
    if (given != nullptr) value = make_component(*given);
  }
  void field(std::string_view name, std::vector<std::shared_ptr<Component>>& value) override {
    const Json* given = find(name, &Json::is_array);
    for (std::size_t i = 0; given != nullptr && i < given->size(); ++i) {
      value.push_back(make_component((*given)[i]));
    }
  }

  /// A list, or one number for a list of one.
  static Shape sizes_of(const Json& value) {
    return value.is_array() ? shape_of(value) : Shape{value.get<Index>()};
  }

  /// Throws: Skip for an argument that no field has asked for.
  void expect_all_read() const {
    for (const auto& [name, value] : kwargs_.items()) {
      if (!read_.contains(name)) throw Skip("no argument " + name + " of " + class_name_);
    }
  }

 private:
  /// The argument, or null if it is not given. Throws: Skip for a kind of value that is not known.
  template <class Predicate>
  const Json* find(std::string_view name, Predicate known) {
    const auto found = kwargs_.find(std::string(name));
    if (found == kwargs_.end()) return nullptr;
    if (found->is_null() && name != "merge_mode") {  // None: as if it had not been given
      read_.emplace(name);
      return nullptr;
    }
    if (!std::invoke(known, *found)) {
      throw Skip("no argument " + std::string(name) + " of " + class_name_ + " that is a JSON " +
                 found->type_name());
    }
    read_.emplace(name);
    return &*found;
  }

  std::string class_name_;
  const Json& kwargs_;
  std::set<std::string> read_;
};

std::shared_ptr<Component> make_component(const Json& spec) {
  if (spec.is_array()) {
    std::vector<Cell> cells;
    for (const Json& one : spec) {
      cells.push_back(std::dynamic_pointer_cast<CellImpl>(make_component(one)));
      if (cells.back() == nullptr) throw Skip("a list of components that are not cells");
    }
    return StackedRNNCells(std::move(cells));
  }
  const auto class_name = spec.at("class_name").get<std::string>();
  const Json kwargs = spec.value("kwargs", Json::object());
  KwargsReader reader(class_name, kwargs);
  std::shared_ptr<Component> made = make_plain_layer(class_name, reader);
  if (made == nullptr) made = make_recurrent_layer(class_name, reader);
  if (made == nullptr) made = make_cell(class_name, reader);
  if (made == nullptr) throw Skip("no layer " + class_name);
  reader.expect_all_read();
  return made;
}

}  // namespace

std::shared_ptr<LayerImpl> make_layer(const Json& spec) {
  auto layer = std::dynamic_pointer_cast<LayerImpl>(make_component(spec));
  if (layer == nullptr) throw Skip("no layer " + spec.at("class_name").get<std::string>());
  return layer;
}

}  // namespace unroll::golden
