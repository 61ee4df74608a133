import TrapEngine
package let z = 1
