#include "unroll/record.h"

#include <cmath>

#include "unroll/error.h"

namespace unroll {

namespace {

Error missing(std::string_view name, const char* kind) {
  return Error(ErrorKind::format,
               std::string("the record has no ") + kind + " \"" + std::string(name) + "\"");
}

}  // namespace

void Record::set(const std::string& name, Tensor numbers) {
  tensors_.insert_or_assign(name, std::move(numbers));
}

void Record::set(const std::string& name, double number) {
  set(name, Tensor::of<double>({1}, {number}));
}

void Record::set(const std::string& name, std::string text) {
  texts_.insert_or_assign(name, std::move(text));
}

bool Record::has(std::string_view name) const {
  return tensors_.contains(name) || texts_.contains(name);
}

const Tensor& Record::tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw missing(name, "tensor");
  return found->second;
}

double Record::number(std::string_view name) const {
  const auto found = tensors_.find(name);
  const bool fits = found != tensors_.end() && found->second.dtype() == DType::float64 &&
                    found->second.elements() == 1;
  if (!fits) throw missing(name, "number");
  return found->second.values<double>()[0];
}

Index Record::count(std::string_view name) const {
  const double value = number(name);
  if (!(std::abs(value) < 0x1p53) || value != std::floor(value)) {
    throw missing(name, "whole number");
  }
  return static_cast<Index>(value);
}

const std::string& Record::text(std::string_view name) const {
  const auto found = texts_.find(name);
  if (found == texts_.end()) throw missing(name, "text");
  return found->second;
}

void Record::put(const std::string& group, const Record& other) {
  for (const auto& [name, numbers] : other.tensors_) set(group + "/" + name, numbers);
  for (const auto& [name, text] : other.texts_) set(group + "/" + name, text);
}

Record Record::part(const std::string& group) const {
  const std::string prefix = group + "/";
  Record result;
  for (const auto& [name, numbers] : tensors_) {
    if (name.starts_with(prefix)) result.set(name.substr(prefix.size()), numbers);
  }
  for (const auto& [name, text] : texts_) {
    if (name.starts_with(prefix)) result.set(name.substr(prefix.size()), text);
  }
  return result;
}

}  // namespace unroll
