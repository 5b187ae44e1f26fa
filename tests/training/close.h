// What the tests of this room share: lists of numbers that should be close, refusals word for word.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "unroll/error.h"

namespace unroll {

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

/// The whole text of what a call throws.
template <class Call>
void expect_refusal(const Call& call, ErrorKind kind, const char* text) {
  try {
    call();
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_STREQ(error.what(), text);
  }
}
template <class Call>
void expect_refusal(const Call& call, const char* text) {
  expect_refusal(call, ErrorKind::value, text);
}

}  // namespace unroll
