#include "unroll/error.h"

namespace unroll {

namespace {

std::string lines(const std::string& summary, const Details& details) {
  std::string text = summary;
  if (!details.got.empty()) text += "\n  got    " + details.got;
  if (!details.want.empty()) text += "\n  want   " + details.want;
  if (!details.hint.empty()) text += "\nhint: " + details.hint;
  return text;
}

}  // namespace

Error::Error(ErrorKind kind, std::string summary, Details details)
    : kind_(kind),
      summary_(std::move(summary)),
      details_(std::move(details)),
      text_(lines(summary_, details_)) {}

std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::shape:
      return "shape";
    case ErrorKind::value:
      return "value";
    case ErrorKind::file:
      return "file";
    case ErrorKind::format:
      return "format";
    case ErrorKind::unsupported:
      return "unsupported";
  }
  return "value";
}

}  // namespace unroll
