package symbols

// waits are the functions in which a processor waits for another one, until it gives a
// lock back (common/spinlock.c, common/rwlock.c), is done with a page's type
// (arch/x86/mm.c), or has done what an interrupt told it to (arch/x86/smp.c,
// common/smp.c). What waits for a device or for time to pass is not among them.
var waits = []string{
	"_spin_lock", "_spin_lock_irq", "_spin_lock_irqsave", "_spin_lock_cb", "_spin_lock_recursive", "_spin_barrier",
	"_rspin_lock", "_rspin_lock_irqsave", // from 4.19 on
	"queue_read_lock_slowpath", "queue_write_lock_slowpath", "_percpu_write_lock",
	"page_lock", "page_lock_unsafe", "_get_page_type", "_put_page_type",
	"flush_area_mask", "on_selected_cpus",
}
