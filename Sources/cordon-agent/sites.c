/* Where calls come from: an open-addressed table of sites. A site knows its module, which is looked for once. */
#include "agent.h"

CORDON_AGENT_BEGIN

#define PROBES 128

static uint64_t key_of(const CordonTrap *trap) {
  uint64_t key = trap->instruction_address << 16 | ((uint32_t)trap->number & 0x3fff);
  if (trap->architecture == CORDON_ARCH_I386) return key | 0x8000;
  return trap->number & 0x40000000 ? key | 0x4000 : key;
}

/* What lies elsewhere than in a module may be in one that is known by now. */
static int is_gone(const CordonSite *site) {
  uint32_t module = __atomic_load_n(&site->module, __ATOMIC_ACQUIRE);
  return module != 0 ? !cordon_agent_has_module(module) : cordon_agent_known_module((uint64_t)((int64_t)site->key >> 16)) != 0;
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
  uint32_t module = cordon_agent_module_at(address);
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
    /* Its module may be there again; or it is another process's, which has other code there. */
    if (is_gone(site) && (cordon_agent_module_at(trap->instruction_address), is_gone(site))) continue;
    *module = module_of(site->module);
    return is_accounted(*module) ? site : NULL;
  }
  __atomic_fetch_add(&area->lost_calls, 1, __ATOMIC_RELAXED);
  *module = module_of(cordon_agent_module_at(trap->instruction_address));
  return NULL;
}

CORDON_AGENT_END
