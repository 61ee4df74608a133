/* Where calls come from: an open-addressed table of sites. A site knows its module, which is looked for once. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define PROBES 128
#define PROT_WRITE 2
#define PROT_EXEC 4

static uint64_t key_of(const CordonTrap *trap) {
  uint64_t key = trap->instruction_address << 16 | ((uint32_t)trap->number & 0x3fff);
  if (trap->architecture == CORDON_ARCH_I386) return key | 0x8000;
  return trap->number & 0x40000000 ? key | 0x4000 : key;
}

static uint32_t known_module(uint64_t address) {
  CordonAgentArea *area = cordon_agent_area();
  uint32_t count = __atomic_load_n(&area->modules, __ATOMIC_ACQUIRE);
  /* The newest first: what has been mapped over is behind it. */
  while (count-- > 0) {
    const CordonModule *module = cordon_area_module(area, count);
    if (!cordon_module_is_gone(module) && module->start <= address && address < module->end) return count + 1;
  }
  return 0;
}

static uint32_t module_at(uint64_t address) {
  uint32_t module = known_module(address);
  if (module != 0) return module;
  (void)cordon_agent_ask(CORDON_QUESTION_MODULE, address);
  return known_module(address);
}

static int is_gone(const CordonSite *site) {
  uint32_t module = __atomic_load_n(&site->module, __ATOMIC_ACQUIRE);
  return module != 0 && cordon_module_is_gone(cordon_area_module(cordon_agent_area(), module - 1));
}

static const CordonModule *module_of(uint32_t number) {
  return number != 0 ? cordon_area_module(cordon_agent_area(), number - 1) : NULL;
}

/* What lies where nobody knows is accounted: that is what people look for. */
static int is_accounted(const CordonModule *module) {
  return module == NULL || module->traps || module->policy_length != 0;
}

/* A site of its own for the key, not in the index yet; 0 when there is no room. Counted from 1. */
static uint32_t new_site(CordonAgentArea *area, uint64_t key, uint64_t address) {
  uint32_t module = module_at(address);
  if (__atomic_load_n(&area->sites, __ATOMIC_RELAXED) >= CORDON_AREA_SITES) return 0;
  uint32_t number = __atomic_fetch_add(&area->sites, 1, __ATOMIC_ACQ_REL);
  if (number >= CORDON_AREA_SITES) return 0;
  CordonSite *site = cordon_area_site(area, number);
  site->first = cordon_ticks();
  site->module = module;
  __atomic_store_n(&site->key, key, __ATOMIC_RELEASE);
  return number + 1;
}

CordonSite *cordon_agent_site(const CordonTrap *trap, const CordonModule **module) {
  CordonAgentArea *area = cordon_agent_area();
  uint64_t key = key_of(trap);
  uint64_t hash = (key * 0x9e3779b97f4a7c15ull) >> 40;
  uint32_t fresh = 0;
  for (uint32_t probe = 0; probe < PROBES; probe++, hash++) {
    uint16_t *place = cordon_area_index(area, hash);
    uint16_t found = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (found == 0) {
      if (fresh == 0) fresh = new_site(area, key, trap->instruction_address);
      if (fresh == 0) break;
      if (__atomic_compare_exchange_n(place, &found, (uint16_t)fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        found = (uint16_t)fresh;
    }
    CordonSite *site = cordon_area_site(area, found - 1u);
    if (site->key != key) continue;
    /* Its module may be there again, in its old place in the table. */
    if (is_gone(site) && (module_at(trap->instruction_address), is_gone(site))) continue;
    *module = module_of(site->module);
    return is_accounted(*module) ? site : NULL;
  }
  __atomic_fetch_add(&area->lost_calls, 1, __ATOMIC_RELAXED);
  *module = module_of(module_at(trap->instruction_address));
  return NULL;
}

static int overlaps(const CordonModule *module, uint64_t start, uint64_t length) {
  return start < module->end && module->start < start + length;
}

void cordon_agent_unmapped(uint64_t start, uint64_t length) {
  CordonAgentArea *area = cordon_agent_area();
  uint32_t count = __atomic_load_n(&area->modules, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < count; i++) {
    CordonModule *module = cordon_area_module(area, i);
    if (overlaps(module, start, length)) __atomic_store_n(&module->gone, 1, __ATOMIC_RELAXED);
  }
}

/* Not where the thread's own stack goes as well, on which it stands. */
int cordon_agent_unmaps_code(const CordonTrap *trap) {
  if (trap->architecture != CORDON_ARCH_X86_64 || trap->number != NR_munmap) return 0;
  uint64_t start = trap->arguments[0], length = trap->arguments[1];
  if (trap->registers->rsp - start < length || (uint64_t)__builtin_frame_address(0) - start < length) return 0;
  CordonAgentArea *area = cordon_agent_area();
  uint32_t count = __atomic_load_n(&area->modules, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < count; i++)
    if (overlaps(cordon_area_module(area, i), start, length)) return 1;
  return 0;
}

/* What cannot be executed does not call. */
void cordon_agent_protected(uint64_t start, uint64_t length, uint64_t protection) {
  if (!(protection & PROT_EXEC)) return;
  uint32_t is_writable = (protection & PROT_WRITE) != 0;
  CordonAgentArea *area = cordon_agent_area();
  uint32_t count = __atomic_load_n(&area->modules, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < count; i++) {
    CordonModule *module = cordon_area_module(area, i);
    if (overlaps(module, start, length) && module->is_writable != is_writable)
      __atomic_store_n(&module->gone, 1, __ATOMIC_RELAXED);
  }
}

CORDON_AGENT_END
