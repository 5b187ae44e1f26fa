// One construction or more of every layer and cell: what the laws are tried on.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "unroll/recurrent.h"

namespace unroll {

struct Example {
  std::string name;             ///< letters, digits and _
  std::function<Layer()> make;  ///< a new one each time
  std::vector<Tensor> inputs;   ///< batch first
  bool training = false;

  friend void PrintTo(const Example& example, std::ostream* out) { *out << example.name; }
};

std::vector<Example> plain_examples();
std::vector<Example> recurrent_examples();
/// Both of them.
std::vector<Example> all_examples();

/// A graph input for each tensor, of its shape but for the batch.
Symbols inputs_for(const std::vector<Tensor>& values);

}  // namespace unroll
