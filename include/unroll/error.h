// Errors: the one exception type of the library.
//
// unroll never prints, exits or aborts on a user's mistake. It throws an Error, whose text has
// up to four lines and can be shown as it is:
//
//   SimpleRNN "rnn_layer": input has the wrong rank
//     got    (32, 50)
//     want   (batch, time, features), for example (32, 50, 1)
//   hint: x.reshape({32, 50, 1}) gives each step one feature
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace unroll {

/// What kind of mistake an Error reports.
enum class ErrorKind {
  shape,        ///< sizes or ranks that do not fit together
  value,        ///< an argument outside its range, an unknown name, NaN where none may be
  file,         ///< a file that cannot be opened, read or written
  format,       ///< bytes that are not what the format demands
  unsupported,  ///< a feature that this build or this version leaves out
};

/// The optional lines of an Error; empty ones are left out.
struct Details {
  std::string got = {};
  std::string want = {};
  std::string hint = {};
};

/// The one exception type of the library.
/// Threads: an Error that a worker throws is rethrown on the caller's thread.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string summary, Details details = {});

  ErrorKind kind() const noexcept { return kind_; }
  const std::string& summary() const noexcept { return summary_; }
  const Details& details() const noexcept { return details_; }
  /// All lines, as in the example above, without a newline at the end.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  ErrorKind kind_;
  std::string summary_;
  Details details_;
  std::string text_;
};

/// "shape", "value", "file", "format" or "unsupported".
std::string_view to_string(ErrorKind kind) noexcept;

}  // namespace unroll
