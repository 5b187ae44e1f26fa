// Sessions that step: what they say no to, their states, many at once.
#include "unroll/stream.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <thread>

#include "src/base/random.h"
#include "unroll/error.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"

namespace unroll {
namespace {

/// A layer of one's own that carries a state.
class RunningSum final : public LayerImpl {
 public:
  std::string_view class_name() const override { return "RunningSum"; }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override {
    return {inputs[0]};
  }
  Order order() const override { return Order::time_first; }
  std::vector<Shape> part_shapes(Index batch) const override { return {{batch, features_}}; }
  Streaming streaming(std::span<const Shape>) const override { return Streaming::stepwise; }
  void build(std::span<const Shape> inputs) override { features_ = inputs[0][2]; }
  Vars call(Call& call, const Vars& inputs) override {
    Vars sums;
    const auto carried = call.states(*this);
    Var sum = carried.empty() ? inputs[0][{0}] * 0.0 : call.tape().constant(carried[0].clone());
    for (Index t = 0; t < inputs[0].shape()[0]; ++t) {
      sum = sum + inputs[0][{t}];
      sums.push_back(sum);
    }
    if (!carried.empty()) {
      std::copy_n(sum.data<float>(), features_, carried[0].floats());
    }
    return {stack(std::span<const Var>(sums), 0).set_time_first(true)};
  }

 private:
  Index features_ = 0;
};

Layer running_sum() { return Layer(std::make_shared<RunningSum>()); }

Model sums() {
  const Symbol x = Input({.shape = {unknown, 2}});
  return Model({.inputs = {x}, .outputs = {Dense(3)(running_sum()(x))}});
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

std::vector<float> stepped(Session& session, float a, float b) {
  const std::vector<float> x{a, b};
  const auto y = session.step(x);
  return {y.begin(), y.end()};
}

TEST(Stream, CarriesWhatALayerOfOnesOwnCarries) {
  Model model = sums();
  Session session{PackedModel(model)};
  const Tensor x = Tensor::of<float>({1, 3, 2}, {1, 2, -4, 8, 0.5f, 1});
  const Tensor want = model.predict(x);
  for (Index t = 0; t < 3; ++t) {
    const auto y = session.step(x.values<float>().subspan(static_cast<std::size_t>(2 * t), 2));
    for (Index u = 0; u < 3; ++u) {
      EXPECT_NEAR(static_cast<double>(y[static_cast<std::size_t>(u)]), want.at({0, t, u}), 1e-5);
    }
  }
}

TEST(Stream, StatesAreKeptAndSetAndForgotten) {
  const PackedModel packed{sums()};
  Session session(packed), other(packed);
  const auto first = stepped(session, 1, 2);
  const Tensors kept = session.states();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].at({0, 1}), 2);
  const auto second = stepped(session, 3, 4);
  EXPECT_NE(first, second);
  other.set_states(kept);
  EXPECT_EQ(stepped(other, 3, 4), second);
  other.set_states(session);
  EXPECT_EQ(stepped(other, 1, 1), stepped(session, 1, 1));
  session.reset();
  EXPECT_EQ(stepped(session, 1, 2), first);
  EXPECT_EQ(kept[0].at({0, 1}), 2);  // a copy
}

TEST(Stream, IsTheModelAsItWas) {
  const Symbol x = Input({.shape = {unknown, 2}});
  Model model({.inputs = {x}, .outputs = {Dense(2, {.use_bias = false})(x)}});
  const PackedModel packed(model);
  Session session(packed);
  const auto before = stepped(session, 1, 2);
  model.set_weights({Tensor::full({2, 2}, 9)});
  EXPECT_EQ(stepped(session, 1, 2), before);
  Session anew{PackedModel(model)};
  EXPECT_EQ(stepped(anew, 1, 2), (std::vector<float>{27, 27}));
}

TEST(Stream, ManySessionsStepAtOnce) {
  const PackedModel packed{sums()};
  std::vector<std::vector<float>> last(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < last.size(); ++i) {
    threads.emplace_back([&, i] {
      Session session(packed);
      for (int t = 0; t < 2000; ++t) last[i] = stepped(session, 0.25f, static_cast<float>(i % 2));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(last[0], last[2]);
  EXPECT_EQ(last[1], last[3]);
  EXPECT_NE(last[0], last[1]);
}

/// Relu of h / 2 with no input: from 1 down to zero, by a kernel and by call().
TEST(Stream, StatesThatDieAwayNeverBecomeDenormal) {
  const Symbol x = Input({.shape = {unknown, 2}});
  const Layer layers[] = {SimpleRNN(1, {.activation = "relu"}),
                          SimpleRNN(1, {.activation = "relu6"})};
  for (const Layer& layer : layers) {
    Model model({.inputs = {x}, .outputs = {layer(x)}});
    model.set_weights({Tensor({2, 1}), Tensor::full({1, 1}, 0.5), Tensor({1})});
    Session session{PackedModel(model)};
    session.set_states({Tensor::full({1, 1}, 1)});
    float last = 1;
    for (int t = 1; t <= 200; ++t) {
      const float h = stepped(session, 0, 0)[0];
      EXPECT_NE(std::fpclassify(h), FP_SUBNORMAL) << "step " << t;
      // By a kernel the output is the state that is kept; by call() it is what the state was
      // before.
      EXPECT_TRUE(h == 0 ? last / 2 < 1e-30f : h == last / 2 && last >= 1e-30f) << "step " << t;
      last = h;
    }
    EXPECT_EQ(last, 0);
    session.set_states({Tensor::full({1, 1}, 1e-39)});
    EXPECT_EQ(stepped(session, 0, 0)[0], 0);
  }
}

/// From now on this process dies of any call to the system but write and exit_group.
bool forbid_system_calls() {
  const auto allow = [](std::uint32_t call) {
    return std::array{
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
  };
  const auto first = allow(SYS_write), second = allow(SYS_exit_group);
  sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                          first[0],
                          first[1],
                          second[0],
                          second[1],
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
  const sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#if defined(__SANITIZE_ADDRESS__)
#define UNROLL_ADDRESS_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNROLL_ADDRESS_SANITIZED
#endif
#endif

/// Whether the kernel knows filters of calls at all.
bool can_forbid_system_calls() { return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0; }

/// How a process ends that has forbidden itself calls and then runs f; 77: it could not.
template <class F>
int status_without_calls(F f) {
  const pid_t child = fork();
  if (child == 0) {
    if (!forbid_system_calls()) _exit(77);
    f();
    _exit(0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

/// No lock that another holds, no memory from the system, no sleep: all of these would be calls.
TEST(Stream, AStepAsksNothingOfTheSystem) {
  if (!can_forbid_system_calls()) GTEST_SKIP() << "this kernel has no filters of calls";
#ifdef UNROLL_ADDRESS_SANITIZED
  GTEST_SKIP() << "the address sanitizer makes calls of its own";
#endif
  const int call = status_without_calls([] { syscall(SYS_getppid); });
  ASSERT_TRUE(WIFSIGNALED(call)) << "a call was let through: the steps below would prove nothing";
  const Symbol x = Input({.shape = {unknown, 2}});
  const Symbol h = LSTM(40, {.return_sequences = true})(running_sum()(x));
  Model model({.inputs = {x}, .outputs = {Dense(3)(GRU(9, {.activation = "gelu"})(h))}});
  for (const WeightType weights : {WeightType::float32, WeightType::bfloat16, WeightType::int8}) {
    Session session(PackedModel(model, {.weights = weights}));
    const std::vector<float> features{0.5f, -1};
    const int status = status_without_calls([&] {
      for (int i = 0; i < 1000; ++i) session.step(features);
      if (!std::isfinite(session.output(0)[0])) _exit(1);
    });
    ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
}

TEST(Stream, TakesSeveralInputsAndGivesSeveralOutputs) {
  const Symbol ids = Input({.shape = {unknown}}), x = Input({.shape = {unknown, 2}});
  const Symbol sum = Add()({Embedding(5, 2)(ids), x});
  Model model({.inputs = {ids, x}, .outputs = {sum, Dense(1)(sum)}});
  Session session{PackedModel(model)};
  session.set_input(0, 3);
  session.set_input(1, std::vector<float>{1, 2});
  session.step();
  const Tensors want =
      model.predict({Tensor::of<std::int32_t>({1, 1}, {3}), Tensor::of<float>({1, 1, 2}, {1, 2})});
  EXPECT_FLOAT_EQ(session.output(0)[1], static_cast<float>(want[0].at({0, 0, 1})));
  EXPECT_FLOAT_EQ(session.output(1)[0], static_cast<float>(want[1].at({0, 0, 0})));
  EXPECT_EQ(refusal([&] { session.step(3); }),
            "a step with one input and one output of a model that has others\n"
            "  got    2 inputs, 2 outputs\n"
            "hint: set_input(i, ...), step(), output(i)");
}

TEST(Stream, RefusesWhatDoesNotFit) {
  const PackedModel packed{sums()};
  Session session(packed), none;
  const std::vector<float> three{1, 2, 3};
  EXPECT_EQ(refusal([&] { session.step(three); }),
            "a step of another number of features\n  got    3\n  want   2");
  EXPECT_EQ(refusal([&] { session.step(7); }),
            "an id for a model of numbers\n  got    7\n  want   2 numbers");
  EXPECT_EQ(refusal([&] { session.set_input(1, three); }),
            "the model has no such input\n  got    1\n  want   less than 1");
  EXPECT_EQ(refusal([&] { session.output(1); }),
            "the model has no such output\n  got    1\n  want   less than 1");
  EXPECT_EQ(refusal([&] { none.step(three); }),
            "the session cannot step\n  got    a session without a packed model\n"
            "hint: Session session(PackedModel(model))");
  EXPECT_EQ(refusal([&] { session.set_states(Tensors{}); }),
            "the model has another number of states\n  got    0\n  want   1");
  EXPECT_EQ(refusal([&] {
              session.set_states(Tensors{Tensor({1, 5})});
            }),
            "state 0 is of another model\n  got    float32 (1, 5)\n  want   float32 (1, 2)");
  Session other{PackedModel(sums())};
  EXPECT_EQ(refusal([&] { session.set_states(other); }),
            "the states of a session of another packed model\n"
            "hint: states() and set_states() go from model to model");
}

TEST(Stream, RefusesAnIdOutsideTheTableAndGoesOn) {
  const Symbol ids = Input({.shape = {unknown}});
  Model model({.inputs = {ids}, .outputs = {Embedding(5, 2, {.name = "words"})(ids)}});
  Session session{PackedModel(model)};
  EXPECT_EQ(refusal([&] { session.step(5); }),
            "Embedding \"words\": an id lies outside the table\n  got    5\n  want   0 to 4\n"
            "hint: input_dim is the largest id plus 1");
  EXPECT_EQ(session.step(4).size(), 2U);
  EXPECT_EQ(refusal([&] { session.step(std::vector<float>{1}); }),
            "a step of numbers for a model of ids\n  got    1 numbers\n  want   one id");
}

TEST(Stream, RefusesModelsThatNeedWholeSequences) {
  const Symbol x = Input({.shape = {4, 2}});
  Model flat({.inputs = {x}, .outputs = {Flatten({.name = "flat"})(x)}});
  EXPECT_EQ(refusal([&] { PackedModel{flat}; }),
            "Flatten \"flat\": cannot go step by step\n"
            "  got    a layer whose output needs other steps than the one it is given\n"
            "hint: model.predict takes whole sequences; a layer of your own says what it needs "
            "in streaming()");
  Model doubles = sums();
  doubles.set_dtype(DType::float64);
  EXPECT_EQ(refusal([&] { PackedModel{doubles}; }),
            "a model of float64 cannot go step by step\nhint: set_dtype(DType::float32)");
  const Sequential unbuilt{Dense(1)};
  EXPECT_EQ(refusal([&] { PackedModel{unbuilt}; }),
            "the model \"sequential\" is not built yet\n"
            "hint: start it with InputLayer({.shape = ...}), call build, or fit it");
  const Symbol y = Input({.shape = {4, 2}}), mask = Input({.shape = {4}});
  Model masked({.inputs = {y, mask}, .outputs = {running_sum().connect(y, mask)}});
  EXPECT_EQ(refusal([&] { PackedModel{masked}; }),
            "RunningSum \"running_sum\": cannot go step by step\n"
            "  got    a mask that the model is given");
}

}  // namespace
}  // namespace unroll
