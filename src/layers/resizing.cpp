// UpSampling1D, ZeroPadding1D, Cropping1D: a sequence made longer or shorter.
#include <algorithm>

#include "src/autograd/dispatch.h"
#include "src/layers/plain.h"
#include "src/layers/window.h"
#include "unroll/convolution.h"

namespace unroll {

namespace {

constexpr std::string_view sequence = "(batch, time, channels)";

/// A sequence of another length, whose step t comes from step source(t), or is zero for -1.
class ResizingImpl : public LayerImpl {
 public:
  Order order() const override { return Order::any; }

  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    expect_rank(*this, inputs, 3, sequence);
    const Index time = inputs[0][1];
    if (time != unknown && length(time) <= 0) {
      throw Error(ErrorKind::shape, titled(*this) + ": nothing is left of the input",
                  {.got = inputs[0].to_string()});
    }
    Shape shape = inputs[0];
    shape.set(1, time == unknown ? unknown : length(time));
    return {shape};
  }

  Vars call(Call& call, const Vars& inputs) override {
    const Var& x = inputs[0];
    const bool time_first = x.time_first();
    const Index time = x.shape()[time_first ? 0 : 1], new_time = length(time);
    Shape shape = x.shape();
    shape.set(time_first ? 0 : 1, new_time);
    Var y = call.tape().result(shape, {x});
    y.set_time_first(time_first);
    // Time first, a step of all rows is one run; otherwise each row is a sequence by itself.
    const Index rows = time_first ? 1 : x.shape()[0];
    const Index step = x.shape()[2] * (time_first ? x.shape()[1] : 1);
    const auto each = [this, rows, time, new_time, step](auto f) {
      for (Index r = 0; r < rows; ++r) {
        for (Index t = 0; t < new_time; ++t) {
          const Index from = source(t, time);
          f((r * new_time + t) * step, from < 0 ? Index{-1} : (r * time + from) * step);
        }
      }
    };
    with_float(x.dtype(), [&]<class T>() {
      each([&](Index to, Index from) {
        if (from < 0) {
          std::fill_n(y.data<T>() + to, step, T{0});
        } else {
          std::copy_n(x.data<T>() + from, step, y.data<T>() + to);
        }
      });
    });
    call.tape().record(y, [each, x, y, step] {
      with_float(x.dtype(), [&]<class T>() {
        T* dx = x.gradient<T>();
        const T* dy = y.gradient<T>();
        each([&](Index to, Index from) {
          for (Index i = 0; from >= 0 && i < step; ++i) dx[from + i] += dy[to + i];
        });
      });
    });
    return {y};
  }

 protected:
  virtual Index length(Index time) const = 0;
  virtual Index source(Index t, Index time) const = 0;

  /// One number stands for both ends. Throws: Error (value) for others than one or two from 0 on.
  Shape both_ends(std::string_view what, const Shape& given) const {
    const bool fits = (given.rank() == 1 || given.rank() == 2) &&
                      std::all_of(given.begin(), given.end(), [](Index n) { return n >= 0; });
    if (!fits) {
      throw Error(ErrorKind::value, titled(*this) + ": " + std::string(what) + " is no pair",
                  {.got = given.to_string(), .want = "two numbers, 0 or more, or one for both"});
    }
    return {given[0], given[-1]};
  }
};

class UpSamplingImpl : public ResizingImpl {
 public:
  explicit UpSamplingImpl(Index size = 2) : size_(positive("UpSampling1D: size", size)) {}
  std::string_view class_name() const override { return "UpSampling1D"; }
  void describe(Describer& d) override {
    d.field("size", size_);
    positive("UpSampling1D: size", size_);
  }

 private:
  Index length(Index time) const override { return time * size_; }
  Index source(Index t, Index) const override { return t / size_; }

  Index size_;
};

class ZeroPaddingImpl : public ResizingImpl {
 public:
  explicit ZeroPaddingImpl(const Shape& padding = {1, 1})
      : padding_(both_ends("padding", padding)) {}
  std::string_view class_name() const override { return "ZeroPadding1D"; }
  void describe(Describer& d) override {
    d.field("padding", padding_);
    padding_ = both_ends("padding", padding_);
  }

 private:
  Index length(Index time) const override { return time + padding_[0] + padding_[1]; }
  Index source(Index t, Index time) const override {
    const Index from = t - padding_[0];
    return from < time ? std::max<Index>(from, -1) : -1;
  }

  Shape padding_;
};

class CroppingImpl : public ResizingImpl {
 public:
  explicit CroppingImpl(const Shape& cropping = {1, 1})
      : cropping_(both_ends("cropping", cropping)) {}
  std::string_view class_name() const override { return "Cropping1D"; }
  void describe(Describer& d) override {
    d.field("cropping", cropping_);
    cropping_ = both_ends("cropping", cropping_);
  }

 private:
  Index length(Index time) const override { return time - cropping_[0] - cropping_[1]; }
  Index source(Index t, Index) const override { return t + cropping_[0]; }

  Shape cropping_;
};

}  // namespace

UpSampling1D::UpSampling1D(Index size, const NameOption& options)
    : Layer(named<UpSamplingImpl>(options.name, size)) {}
ZeroPadding1D::ZeroPadding1D(const Shape& padding, const NameOption& options)
    : Layer(named<ZeroPaddingImpl>(options.name, padding)) {}
Cropping1D::Cropping1D(const Shape& cropping, const NameOption& options)
    : Layer(named<CroppingImpl>(options.name, cropping)) {}

std::shared_ptr<LayerImpl> make_resizing(std::string_view class_name, Describer& options) {
  if (class_name == "UpSampling1D") return described<UpSamplingImpl>(options);
  if (class_name == "ZeroPadding1D") return described<ZeroPaddingImpl>(options);
  if (class_name == "Cropping1D") return described<CroppingImpl>(options);
  return nullptr;
}

}  // namespace unroll
