// Reviews in a table: a column of texts and a column of labels.
#include <algorithm>

#include "src/base/random.h"
#include "src/tasks/review_source.h"
#include "src/tasks/shuffle.h"
#include "unroll/csv.h"

namespace unroll::tasks {

namespace {

std::string column_of(const Table& table, const std::string& asked,
                      std::initializer_list<const char*> usual, const char* what) {
  if (!asked.empty()) return asked;
  for (const char* name : usual) {
    if (table.has(name)) return name;
  }
  std::string names, want;
  for (const std::string& name : table.column_names()) names += (names.empty() ? "" : ", ") + name;
  for (const char* name : usual) want += std::string(want.empty() ? "" : " or ") + name;
  throw Error(ErrorKind::format, table.name() + ": no column of " + what,
              {.got = names, .want = "a column named " + want});
}

/// The labels as they are written: a column of 0 and 1 is one of numbers.
std::vector<std::string> labels_of(const Table& table, const std::string& column) {
  if (table.kind(column) == ColumnKind::text) return table.text(column);
  if (table.kind(column) == ColumnKind::dates)
    return std::vector<std::string>(static_cast<std::size_t>(table.rows()), "a date");
  std::vector<std::string> labels;
  const Tensor numbers = table.column(column, DType::float64);
  for (const double value : numbers.values<double>()) {
    labels.push_back(value == 0 ? "0" : value == 1 ? "1" : "another number");
  }
  return labels;
}

ReviewParts reviews_of(const Table& table, const ReviewOptions& options) {
  if (!(options.test > 0 && options.test < 1)) {
    throw Error(ErrorKind::value, "read_reviews: test is a share between 0 and 1",
                {.got = std::to_string(options.test)});
  }
  const std::string text = column_of(table, options.text_column, {"text", "review"}, "texts");
  const std::string label =
      column_of(table, options.label_column, {"label", "sentiment"}, "labels");
  const std::vector<std::string> texts = table.text(text), labels = labels_of(table, label);
  ReviewCollector collector(options);
  Reviews all;
  for (std::size_t row = 0; row < texts.size(); ++row) {
    const std::string place =
        table.name() + ", line " + std::to_string(table.line(static_cast<Index>(row)));
    const auto known = label_of(labels[row]);
    if (!known) throw no_label(place + ", column " + label, labels[row]);
    collector.add(all, texts[row], *known, place);
  }
  ReviewParts parts{.name = table.name()};
  const std::vector<Index> order = shuffled(static_cast<Index>(all.texts.size()), options.seed, 0);
  const auto test =
      static_cast<std::size_t>(options.test * static_cast<double>(order.size()) + 0.5);
  for (std::size_t i = 0; i < order.size(); ++i) {
    Reviews& part = i < order.size() - test ? parts.train : parts.test;
    const auto from = static_cast<std::size_t>(order[i]);
    part.texts.push_back(std::move(all.texts[from]));
    part.labels.push_back(all.labels[from]);
  }
  for (const Reviews* part : {&parts.train, &parts.test}) {
    const auto positive = static_cast<std::size_t>(std::ranges::count(part->labels, 1));
    if (positive != 0 && positive != part->labels.size()) continue;
    throw Error(ErrorKind::format, table.name() + ": too few reviews of one of the labels",
                {.got = std::to_string(texts.size()) + " reviews",
                 .want = "positive and negative ones in both parts"});
  }
  return parts;
}

}  // namespace

ReviewParts read_review_table(std::string_view source, const ReviewOptions& options) {
  return reviews_of(read_csv(source), options);
}

ReviewParts parse_review_table(std::string_view bytes, const std::string& name,
                               const ReviewOptions& options) {
  return reviews_of(parse_csv(bytes, name), options);
}

}  // namespace unroll::tasks
