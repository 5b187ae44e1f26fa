// The layers and cells that there are, by Keras's class names, and their options.
//
//   for (const std::string& name : layer_names()) std::cout << signature(name) << "\n";
//     Dense(units, activation = "linear", use_bias = true, ...)
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unroll {

/// Classes that Keras has under the same name, "SimpleRNN"; in alphabetical order.
std::vector<std::string> layer_names();
std::vector<std::string> cell_names();

/// An option of a layer or cell.
struct OptionText {
  std::string name;   ///< Keras's
  std::string value;  ///< the default, as JSON has it; empty where one must be given
};

/// The options of a class, in Keras's order; the name is not among them.
/// Throws: Error (value) for a class that there is not, which lists the classes.
std::vector<OptionText> options_of(std::string_view class_name);

/// `LSTM(units, activation = "tanh", recurrent_activation = "sigmoid", ...)`
std::string signature(std::string_view class_name);

}  // namespace unroll
