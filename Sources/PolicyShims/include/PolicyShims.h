/// libseccomp, run where it can be ended: in a short-lived child of its own.
#ifndef CORDON_POLICY_SHIMS_H
#define CORDON_POLICY_SHIMS_H

#include <stddef.h>
#include <stdint.h>

/// A comparison of one argument, as `struct scmp_arg_cmp` has it.
typedef struct {
  uint32_t argument;
  /// An `enum scmp_compare`.
  uint32_t comparison;
  uint64_t first;
  uint64_t second;
} PolicyComparison;

/// A call to seccomp_rule_add_exact_array.
typedef struct {
  int32_t number;
  /// The action for what matches.
  uint32_t answer;
  /// Its comparisons in the array of all of them.
  uint32_t first_comparison;
  uint32_t comparison_count;
} PolicyRule;

/// How far a build came.
typedef enum {
  PolicyBuildStarted,
  PolicyBuildAddedRules,
  PolicyBuildDone,
} PolicyBuildStage;

typedef struct {
  PolicyBuildStage stage;
  /// The rule that was being added, where the build did not come further.
  uint32_t rule;
  /// What libseccomp answered, 0 or -errno; of no account where the build was ended.
  int32_t answer;
  /// Whether the build was ended: it took too long, or died of a signal.
  int ended;
  /// Whether it was ended because it waited for something.
  int stood_still;
} PolicyBuildOutcome;

/// Has libseccomp build a filter of the rules, which answers `otherwise` where none matches, for calls of the machine's own
/// architecture. The bytes that seccomp_export_bpf writes are in the file `descriptor`, a memfd of the caller's.
///
/// The build is ended after it has had a processor for `milliseconds`, and where it waits for something after as much time
/// on the clock; it does not take much more than 512 MiB. 0 if there is an outcome, or -errno where no child could be had.
long cordon_policy_build(
    const PolicyRule *rules, uint32_t rule_count, const PolicyComparison *comparisons, uint32_t otherwise,
    uint32_t milliseconds, int descriptor, PolicyBuildOutcome *outcome);

/// A file in memory that is closed on exec; -errno where there is none to be had.
int cordon_policy_file(void);

#endif
