// Fills an option struct from JSON through its describe(): the names of the fields are tested too.
#pragma once

#include <set>

#include "tests/training/golden.h"
#include "unroll/losses.h"
#include "unroll/metrics.h"
#include "unroll/schedules.h"

namespace unroll {

/// Every key of the object must be a field; what it lacks keeps its default.
class FromJson {
 public:
  explicit FromJson(const Json& object) : object_(object) {}

  void field(const char* name, bool& value) { read(name, value); }
  void field(const char* name, Index& value) { read(name, value); }
  void field(const char* name, double& value) { read(name, value); }
  void field(const char* name, Reduction& value) {
    if (const Json* json = find(name)) value = parse_reduction(json->get<std::string>());
  }
  template <class K, std::size_t count>
  void field(const char* name, Choice<K, count>& value) {
    if (const Json* json = find(name)) {
      value = Choice<K, count>::parse(json->get<std::string>());
    }
  }
  void field(const char* name, LearningRate& value) {
    if (const Json* json = find(name)) value = rate(*json);
  }
  template <class T, std::size_t most>
  void field(const char* name, ShortList<T, most>& value) {
    if (const Json* json = find(name)) {
      value = {};
      for (const Json& element : *json) value.push_back(element.get<T>());
    }
  }
  template <class T>
  void field(const char* name, std::optional<T>& value) {
    if (const Json* json = find(name); json && !json->is_null()) value = json->get<T>();
  }

  /// What no field has taken.
  std::set<std::string> left() const {
    std::set<std::string> names;
    for (const auto& [name, value] : object_.items()) {
      if (!taken_.contains(name)) names.insert(name);
    }
    return names;
  }

  /// A number, or {"class_name": ..., "kwargs": {...}}.
  static LearningRate rate(const Json& json) {
    if (json.is_number()) return json.get<double>();
    Schedule schedule = parse_schedule(json["class_name"].get<std::string>());
    LearningRate result = 0;
    std::visit(
        [&]<class S>(S& options) {
          if constexpr (!std::is_same_v<S, double>) {
            FromJson reader(json["kwargs"]);
            options.describe(reader);
            EXPECT_TRUE(reader.left().empty()) << "no such option: " << *reader.left().begin();
            result = options;
          }
        },
        schedule);
    return result;
  }

 private:
  const Json* find(const char* name) {
    taken_.insert(name);
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }
  template <class T>
  void read(const char* name, T& value) {
    if (const Json* json = find(name)) value = json->get<T>();
  }

  const Json& object_;
  std::set<std::string> taken_;
};

/// Fills a Loss, Metric or Optimizer.
template <class Value>
void fill(Value& value, const Json& kwargs) {
  FromJson reader(kwargs);
  std::visit(
      [&]<class Option>(Option& options) {
        if constexpr (std::is_same_v<Option, Loss>) {
          std::visit([&](auto& of_loss) { of_loss.describe(reader); }, options.options());
        } else {
          options.describe(reader);
        }
      },
      value.options());
  EXPECT_TRUE(reader.left().empty()) << "no such option: " << *reader.left().begin();
}

}  // namespace unroll
