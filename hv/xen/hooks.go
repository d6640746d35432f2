package xen

import (
	"maps"
	"slices"

	"xsmbench/hv"
)

// Hook says what is known of a hook of Xen 4 (include/xsm/xsm.h and the hook's
// callers, in 4.15 to 4.22).
func (*Target) Hook(name string) hv.HookNote { return hookNotes[name] }

// Hooks are those of all these releases.
func (*Target) Hooks() []string { return slices.Sorted(maps.Keys(hookNotes)) }

// Who reaches a hook.
const (
	byDom0 = "dom0"               // the control domain, or the hardware domain
	byAny  = "any domain"         // on itself, or on a domain that granted it something
	byDM   = "dom0, device model" // a device model on its target
	byXen  = "Xen"                // by itself, whatever a domain asked for
)

// Why no benchmark crosses a hook.
const (
	atBoot   = "Xen crosses it once, when it starts"
	asleep   = "only with CONFIG_ARGO, which Xen does not build by default"
	aPMU     = "Xen asks only with a PMU, which QEMU's processor has not, and the option vpmu"
	needsVTx = "only on VT-x, and QEMU emulates SVM"
	compat   = "only for a 32-bit paravirtual domain"
	pvhDom0  = "only for a dom0 whose memory Xen translates (PVH); here it is paravirtual"
	lateDom  = "only if dom0 makes another domain the hardware domain (option hardware_dom)"
	anIOMMU  = "Xen asks only with an IOMMU, which the machine has not"
	arm      = "Arm's alone"
	shareMem = "only with CONFIG_MEM_SHARING, which Xen does not build by default"
	vPCI     = "only for a domain whose PCI configuration Xen emulates (a PVH dom0)"
	pageMem  = "only with CONFIG_MEM_PAGING, which Xen does not build by default"
)

var hookNotes = map[string]hv.HookNote{
	"set_system_active":    {By: byXen, Through: "boot", Never: atBoot},
	"init_hardware_domain": {By: byDom0, Through: "domctl createdomain", Never: lateDom},

	"security_domaininfo":   {By: byDom0, Through: "domctl getdomaininfo; sysctl getdomaininfolist"},
	"getdomaininfo":         {By: byDom0, Through: "domctl getdomaininfo; sysctl getdomaininfolist"},
	"get_domain_state":      {By: byDom0, Through: "domctl get_domain_state"},
	"domain_create":         {By: byXen, Through: "domctl createdomain"},
	"alloc_security_domain": {By: byXen, Through: "domctl createdomain"},
	"free_security_domain":  {By: byXen, Through: "the end of a domain"},
	"set_target":            {By: byDom0, Through: "domctl set_target"},
	"domctl":                {Was: []string{"setvcpucontext", "pausedomain", "unpausedomain", "resumedomain", "max_vcpus", "destroydomain", "vcpuaffinity", "getvcpucontext", "getvcpuinfo", "domain_settime", "setdomainmaxmem", "setdomainhandle", "setdebugging", "getpageframeinfo", "getmemlist", "hypercall_init", "hvmcontext", "address_size"}, By: byDom0, Through: "domctl"},
	"domctl_scheduler_op":   {Was: []string{"scheduler"}, By: byDom0, Through: "domctl scheduler_op"},
	"sysctl":                {Was: []string{"tbufcontrol", "sched_id", "perfcontrol", "physinfo"}, By: byDom0, Through: "sysctl"},
	"sysctl_scheduler_op":   {By: byDom0, Through: "sysctl scheduler_op"},
	"readconsole":           {By: byDom0, Through: "sysctl readconsole"},
	"page_offline":          {By: byDom0, Through: "sysctl page_offline_op"},
	"schedop_shutdown":      {By: byDM, Through: "sched_op remote_shutdown"},
	"vm_event_control":      {By: byDom0, Through: "domctl vm_event_op, monitor_op"},
	"shadow_control":        {By: byDom0, Through: "domctl shadow_op"},

	"evtchn_unbound":         {By: byAny, Through: "event_channel_op alloc_unbound"},
	"evtchn_interdomain":     {By: byAny, Through: "event_channel_op bind_interdomain"},
	"evtchn_close_post":      {By: byAny, Through: "event_channel_op close, reset; the end of a domain"},
	"evtchn_send":            {By: byAny, Through: "event_channel_op send"},
	"evtchn_status":          {By: byAny, Through: "event_channel_op status"},
	"evtchn_reset":           {By: byAny, Through: "event_channel_op reset"},
	"alloc_security_evtchns": {Was: []string{"alloc_security_evtchn"}, By: byXen, Through: "domctl createdomain; the first port of a new bucket"},
	"free_security_evtchns":  {Was: []string{"free_security_evtchn"}, By: byXen, Through: "the end of a domain"},
	"show_security_evtchn":   {By: byXen, Through: "sysctl debug_keys: key e, which lists event channels"},

	"grant_mapref":     {By: byAny, Through: "grant_table_op map_grant_ref"},
	"grant_unmapref":   {By: byAny, Through: "grant_table_op unmap_grant_ref, unmap_and_replace"},
	"grant_setup":      {By: byAny, Through: "grant_table_op setup_table, get_status_frames"},
	"grant_transfer":   {By: byAny, Through: "grant_table_op transfer"},
	"grant_copy":       {By: byAny, Through: "grant_table_op copy"},
	"grant_query_size": {By: byAny, Through: "grant_table_op query_size, get_version"},

	"get_pod_target":            {By: byDom0, Through: "memory_op get_pod_target"},
	"set_pod_target":            {By: byDom0, Through: "memory_op set_pod_target"},
	"memory_exchange":           {By: byAny, Through: "memory_op exchange"},
	"memory_adjust_reservation": {By: byAny, Through: "memory_op increase_reservation, decrease_reservation, populate_physmap"},
	"memory_stat_reservation":   {By: byAny, Through: "memory_op current_reservation, maximum_reservation, maximum_gpfn"},
	"memory_pin_page":           {By: byAny, Through: "mmuext_op pin_table"},
	"add_to_physmap":            {By: byAny, Through: "memory_op add_to_physmap"},
	"remove_from_physmap":       {By: byAny, Through: "memory_op remove_from_physmap"},
	"map_gmfn_foreign":          {By: byAny, Through: "memory_op add_to_physmap of a foreign frame", Never: pvhDom0},
	"claim_pages":               {By: byDom0, Through: "memory_op claim_pages"},
	"get_vnumainfo":             {By: byAny, Through: "memory_op get_vnumainfo"},
	"domain_resource_map":       {By: byDM, Through: "memory_op acquire_resource"},
	"mem_access":                {By: byDM, Through: "memory_op access_op", Never: needsVTx},
	"mem_paging":                {By: byDM, Through: "memory_op paging_op", Never: pageMem},
	"mem_sharing":               {By: byDM, Through: "memory_op sharing_op", Never: shareMem},
	"mem_sharing_op":            {By: byDM, Through: "memory_op sharing_op", Never: shareMem},
	"machine_memory_map":        {By: byDom0, Through: "memory_op machine_memory_map"},
	"domain_memory_map":         {By: byAny, Through: "memory_op set_memory_map"},

	"mmu_update":        {Was: []string{"mmu_normal_update", "mmu_machphys_update"}, By: byAny, Through: "mmu_update"},
	"mmuext_op":         {By: byAny, Through: "mmuext_op"},
	"update_va_mapping": {By: byAny, Through: "update_va_mapping; page faults on page tables"},
	"priv_mapping":      {By: byAny, Through: "a mapping of a third domain's page, in the name of its device model's"},

	"show_irq_sid":          {By: byXen, Through: "sysctl debug_keys: key i, which lists interrupts"},
	"map_domain_pirq":       {By: byDM, Through: "physdev_op map_pirq"},
	"map_domain_irq":        {By: byXen, Through: "physdev_op map_pirq"},
	"map_domain_msi":        {By: byXen, Through: "physdev_op map_pirq"},
	"unmap_domain_pirq":     {By: byDM, Through: "physdev_op unmap_pirq"},
	"unmap_domain_irq":      {By: byXen, Through: "physdev_op unmap_pirq; the end of a domain"},
	"bind_pt_irq":           {By: byDom0, Through: "domctl bind_pt_irq"},
	"unbind_pt_irq":         {By: byDom0, Through: "domctl unbind_pt_irq"},
	"irq_permission":        {By: byDom0, Through: "domctl irq_permission"},
	"iomem_permission":      {By: byDom0, Through: "domctl iomem_permission"},
	"iomem_mapping":         {By: byDom0, Through: "domctl memory_mapping"},
	"iomem_mapping_vpci":    {By: byXen, Through: "a domain's accesses to PCI configuration that Xen emulates", Never: vPCI},
	"ioport_permission":     {By: byDom0, Through: "domctl ioport_permission"},
	"ioport_mapping":        {By: byDom0, Through: "domctl ioport_mapping"},
	"pci_config_permission": {By: byDom0, Through: "accesses to PCI configuration"},
	"get_device_group":      {By: byDom0, Through: "domctl get_device_group", Never: anIOMMU},
	"assign_device":         {By: byDom0, Through: "domctl assign_device, test_assign_device", Never: anIOMMU},
	"deassign_device":       {By: byDom0, Through: "domctl deassign_device", Never: anIOMMU},
	"assign_dtdevice":       {By: byDom0, Through: "domctl assign_device", Never: arm},
	"deassign_dtdevice":     {By: byDom0, Through: "domctl deassign_device", Never: arm},
	"resource_plug_core":    {By: byDom0, Through: "platform_op cpu_online; sysctl cpu_hotplug"},
	"resource_unplug_core":  {By: byDom0, Through: "platform_op cpu_offline; sysctl cpu_hotplug"},
	"resource_plug_pci":     {By: byDom0, Through: "physdev_op pci_device_add"},
	"resource_unplug_pci":   {By: byDom0, Through: "physdev_op pci_device_remove"},
	"resource_setup_pci":    {By: byDom0, Through: "physdev_op prepare_msix, release_msix, restore_msi"},
	"resource_setup_gsi":    {By: byDom0, Through: "physdev_op setup_gsi"},
	"resource_setup_misc":   {By: byDom0, Through: "physdev_op pci_mmcfg_reserved"},
	"apic":                  {Was: []string{"assign_vector"}, By: byDom0, Through: "physdev_op apic_read, apic_write, alloc_irq_vector"},

	"hvm_param":           {By: byAny, Through: "hvm_op set_param, get_param"},
	"hvm_param_altp2mhvm": {By: byDom0, Through: "hvm_op set_param"},
	"hvm_altp2mhvm_op":    {By: byAny, Through: "hvm_op altp2m", Never: needsVTx},
	"dm_op":               {Was: []string{"hvm_set_pci_intx_level", "hvm_set_isa_irq_level", "hvm_set_pci_link_route"}, By: byDM, Through: "dm_op"},

	"console_io":  {By: byDom0, Through: "console_io"},
	"profile":     {By: byAny, Through: "xenoprof_op"},
	"kexec":       {By: byDom0, Through: "kexec_op"},
	"hypfs_op":    {By: byDom0, Through: "hypfs_op"},
	"platform_op": {Was: []string{"xen_settime", "memtype", "microcode", "platform_quirk"}, By: byDom0, Through: "platform_op"},
	"do_mca":      {By: byDom0, Through: "mca"},
	"pmu_op":      {By: byAny, Through: "xenpmu_op", Never: aPMU},
	"xen_version": {
		Also: map[string]float64{"Kbench/hypercall/op=xen_version": 1, "Kbench/hypercall/op=multicall": 8},
		By:   byAny, Through: "xen_version",
	},
	"do_xsm_op":    {Was: []string{"__do_xsm_op"}, By: byAny, Through: "xsm_op"},
	"do_compat_op": {By: byAny, Through: "xsm_op", Never: compat},

	"argo_enable":                 {By: byAny, Through: "argo_op; domctl createdomain", Never: asleep},
	"argo_register_single_source": {By: byAny, Through: "argo_op register_ring", Never: asleep},
	"argo_register_any_source":    {By: byAny, Through: "argo_op register_ring", Never: asleep},
	"argo_send":                   {By: byAny, Through: "argo_op sendv, notify", Never: asleep},
}
