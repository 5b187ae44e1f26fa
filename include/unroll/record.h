// Records: named numbers, texts and tensors, as checkpoints keep them.
//
//   Record record;
//   record.set("waited", 3.0);
//   record.set("best", best_weights);
//   double waited = record.number("waited");
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "unroll/tensor.h"

namespace unroll {

/// A value made of named parts; what has been set is read back bit for bit.
/// Names with a slash make groups: put() and part() move a whole group.
class Record {
 public:
  /// Shares the numbers, as copies of a Tensor do.
  void set(const std::string& name, Tensor numbers);
  void set(const std::string& name, double number);
  void set(const std::string& name, std::string text);

  bool has(std::string_view name) const;
  /// Throws: Error (format) where there is no such entry of this kind.
  const Tensor& tensor(std::string_view name) const;
  double number(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  /// A number that counts something. Throws: Error (format) also where it is not whole.
  Index count(std::string_view name) const;

  /// All entries of another record, each name after "group/"; and back.
  void put(const std::string& group, const Record& other);
  Record part(const std::string& group) const;

  const std::map<std::string, Tensor, std::less<>>& tensors() const noexcept { return tensors_; }
  const std::map<std::string, std::string, std::less<>>& texts() const noexcept { return texts_; }

 private:
  std::map<std::string, Tensor, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> texts_;
};

}  // namespace unroll
