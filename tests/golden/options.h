// Losses, metrics, optimisers and schedules made from what the reference data says of them:
// {class_name, kwargs}.
#pragma once

#include <optional>
#include <set>

#include "tests/golden/json.h"
#include "tests/golden/report.h"
#include "unroll/losses.h"
#include "unroll/metrics.h"
#include "unroll/optimizers.h"

namespace unroll::golden {

/// A number, or a schedule {"class_name": ..., "kwargs": {...}}; in configurations "config".
LearningRate rate_of(const Json& value);

/// Fills an option struct; what is not given, or given as null, keeps its default.
class OptionReader {
 public:
  explicit OptionReader(const Json& kwargs) : kwargs_(kwargs) {}

  template <class T>
  void field(std::string_view name, T& value) {
    const auto given = kwargs_.find(std::string(name));
    if (given == kwargs_.end()) return;
    read_.emplace(name);
    if (!given->is_null()) set(*given, value);
  }
  // None is a choice of its own here.
  void field(std::string_view name, Reduction& value) { choose(name, value, parse_reduction); }
  void field(std::string_view name, Averaging& value) { choose(name, value, &Averaging::parse); }
  void field(std::string_view name, Aggregation& value) {
    choose(name, value, &Aggregation::parse);
  }

  /// Throws: Skip for an option that no field has asked for, unless it is None. Names and number
  /// types of Keras's objects do not change what they compute.
  void expect_all_read(std::string_view class_name) const {
    for (const auto& [name, value] : kwargs_.items()) {
      if (name == "name" || name == "dtype" || value.is_null() || read_.contains(name)) continue;
      throw Skip("no option " + name + " of " + std::string(class_name));
    }
  }

 private:
  template <class T, class Parse>
  void choose(std::string_view name, T& value, const Parse& parse) {
    const auto given = kwargs_.find(std::string(name));
    if (given == kwargs_.end()) return;
    read_.emplace(name);
    value = parse(given->is_null() ? "none" : given->template get<std::string>());
  }
  template <class T>
  static void set(const Json& given, T& value) {
    value = given.get<T>();
  }
  template <class T>
  static void set(const Json& given, std::optional<T>& value) {
    value = given.get<T>();
  }
  template <class K, std::size_t count>
  static void set(const Json& given, Choice<K, count>& value) {
    value = Choice<K, count>::parse(given.get<std::string>());
  }
  template <class T, std::size_t most>
  static void set(const Json& given, ShortList<T, most>& value) {
    value = {};
    if (!given.is_array()) value.push_back(given.get<T>());
    for (const Json& element : given.is_array() ? given : Json::array()) {
      value.push_back(element.get<T>());
    }
  }
  static void set(const Json& given, LearningRate& value) { value = rate_of(given); }

  const Json& kwargs_;
  std::set<std::string> read_;
};

/// Visits the options of a loss, metric or optimiser; those of a metric may be a loss.
template <class Named>
void describe(Named& named, OptionReader& reader) {
  std::visit(
      [&]<class Options>(Options& options) {
        if constexpr (std::is_same_v<Options, Loss>) {
          describe(options, reader);
        } else {
          options.describe(reader);
        }
      },
      named.options());
}

/// Throws: Skip for an option that it does not have.
template <class Named>
Named with_options(Named named, const Json& kwargs) {
  OptionReader reader(kwargs);
  describe(named, reader);
  reader.expect_all_read(named.class_name());
  return named;
}

/// Made by parse(class_name). Throws: Skip where there is no such class.
template <class Parse>
auto parse_or_skip(const Parse& parse, const std::string& class_name) {
  try {
    return parse(class_name);
  } catch (const std::exception&) {
    throw Skip("no class " + class_name);
  }
}

}  // namespace unroll::golden
