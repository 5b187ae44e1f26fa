// Keras's reference data: JSON files of cases in the folder UNROLL_GOLDEN_DIR.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unroll/index.h"

namespace unroll {

using Json = nlohmann::json;

/// The file, or null where there is no folder of reference data.
inline Json golden_file(const std::string& name) {
  const char* folder = std::getenv("UNROLL_GOLDEN_DIR");
  if (!folder) return nullptr;
  std::ifstream file(std::string(folder) + "/" + name);
  EXPECT_TRUE(file) << folder << " has no " << name;
  return file ? Json::parse(file) : Json();
}

/// A number; the strings "nan", "inf" and "-inf" stand for themselves.
inline double number(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  return json == "inf" ? HUGE_VAL : -HUGE_VAL;
}

/// All numbers of nested lists, in order.
template <class T>
void append_numbers(const Json& json, std::vector<T>& into) {
  if (json.is_array()) {
    for (const Json& part : json) append_numbers(part, into);
  } else if (json.is_boolean()) {
    into.push_back(json.get<bool>() ? T{1} : T{0});
  } else {
    into.push_back(static_cast<T>(number(json)));
  }
}
template <class T>
std::vector<T> numbers(const Json& json) {
  std::vector<T> all;
  append_numbers(json, all);
  return all;
}

/// The sizes of nested lists: [[1, 2, 3]] has (1, 3).
inline std::vector<Index> sizes(const Json& json) {
  if (!json.is_array()) return {};
  std::vector<Index> all{static_cast<Index>(json.size())};
  if (!json.empty()) {
    for (Index size : sizes(json[0])) all.push_back(size);
  }
  return all;
}

/// "loss" in float, "loss_f64" in double.
template <class T>
std::string key(const std::string& name) {
  return sizeof(T) == 4 ? name : name + "_f64";
}

template <class T>
void expect_close(const std::vector<T>& got, const std::vector<T>& want, double relative,
                  double absolute, const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(want[i]) ? std::isnan(got[i]) : got[i] == want[i]) continue;
    const double difference = std::abs(static_cast<double>(got[i]) - static_cast<double>(want[i]));
    EXPECT_LE(difference, absolute + relative * std::abs(static_cast<double>(want[i])))
        << what << '[' << i << "] got " << got[i] << " want " << want[i];
  }
}

}  // namespace unroll
