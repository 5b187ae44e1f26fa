#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "src/data/points.h"
#include "unroll/error.h"
#include "unroll/projection.h"

namespace unroll {

namespace {

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// A label that stays in its field of a table of tabs.
std::string flat(std::string label) {
  for (char& c : label) {
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
  }
  return label;
}

}  // namespace

std::vector<Neighbour> nearest(const Tensor& table, Index row, Index count) {
  const data::Points points("nearest", table);
  if (row < 0 || row >= points.rows()) {
    throw Error(ErrorKind::value, "nearest: no such row",
                {.got = std::to_string(row), .want = fmt::format("0 to {}", points.rows() - 1)});
  }
  const std::span<const double> wanted = points.row(row);
  const double length = std::sqrt(dot(wanted, wanted));
  if (length == 0) {
    throw Error(ErrorKind::value, "nearest: the row has no direction",
                {.got = fmt::format("row {}, all zeros", row)});
  }
  std::vector<Neighbour> found;
  for (Index i = 0; i < points.rows(); ++i) {
    const std::span<const double> other = points.row(i);
    const double size = std::sqrt(dot(other, other));
    if (i != row && size > 0) found.push_back({i, dot(wanted, other) / (length * size)});
  }
  const auto kept = std::min(static_cast<std::size_t>(std::max<Index>(count, 0)), found.size());
  // Equal ones in the order of the table.
  const auto nearer = [](const Neighbour& a, const Neighbour& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
  };
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(),
                    nearer);
  found.resize(kept);
  return found;
}

ProjectorFiles projector_files(const Tensor& table, const std::vector<std::string>& labels) {
  const data::Points points("projector_files", table);
  if (static_cast<Index>(labels.size()) != points.rows()) {
    throw Error(ErrorKind::shape, "projector_files: not a label for each row",
                {.got = std::to_string(labels.size()), .want = std::to_string(points.rows())});
  }
  ProjectorFiles files;
  for (Index i = 0; i < points.rows(); ++i) {
    const auto row = points.row(i);
    for (std::size_t k = 0; k < row.size(); ++k) {
      files.vectors += fmt::format("{}{:.9g}", k == 0 ? "" : "\t", row[k]);
    }
    files.vectors += '\n';
    files.metadata += flat(labels[static_cast<std::size_t>(i)]) + '\n';
  }
  return files;
}

}  // namespace unroll
